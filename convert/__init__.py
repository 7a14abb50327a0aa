"""Desktop tools: data -> training -> int8 -> evaluation. Nothing here runs on the device."""
