from integrations.admin import batches, dashboard, deliveries, extensions, rows, runs

__all__ = ["batches", "dashboard", "deliveries", "extensions", "rows", "runs"]
