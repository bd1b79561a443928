"""One file per place of the site: what it asks of the workspace and which template shows it."""
