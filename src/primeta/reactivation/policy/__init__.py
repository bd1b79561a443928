"""When to write, how often and by which channel, with what discount: experiments on what is done, not on whether."""
