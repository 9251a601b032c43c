"""The roof: settings, parts, wiring, command line, sandbox. The only place that knows everything."""
