"""The sample model: it tells domain names that malware made up from those that people chose."""
