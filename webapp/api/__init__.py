"""The endpoints: one blueprint a file, each view a few lines."""
