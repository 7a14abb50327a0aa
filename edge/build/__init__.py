"""From the settings to the parts of the appliance."""
