"""Changes in metric series, found as they come, and what people log by hand."""
