"""Turn providers' bytes into claims of one form: one identity, one zone, one basis."""
