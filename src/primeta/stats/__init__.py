"""Pure mathematics: no engine, no dataframe library, no chart."""
