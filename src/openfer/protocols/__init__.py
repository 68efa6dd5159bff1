"""From rows to splits: who trains, who selects, who tests."""
