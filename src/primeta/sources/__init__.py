"""What people, the market and the law say: sources, how they are fetched, and documents as they were brought."""
