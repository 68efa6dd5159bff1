"""What the documentation site shows of the project itself: settings, commands, catalog, deviations, diagrams."""
