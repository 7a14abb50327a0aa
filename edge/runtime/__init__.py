"""The running appliance: its stages, what keeps them going, and the policies that pace them."""
