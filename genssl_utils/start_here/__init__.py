"""The welcome notebook, which teaches no topic: only the key of its practice exercise."""
