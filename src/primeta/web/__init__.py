"""Pages and a JSON API over a workspace; they work without a script, and load nothing from outside."""
