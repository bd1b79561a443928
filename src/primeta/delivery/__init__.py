"""What is finished goes out: to mail, messengers, calendars, by the clock."""
