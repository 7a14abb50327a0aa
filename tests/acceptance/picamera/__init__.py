"""The camera adapter on the real picamera2 and libcamera, in an emulated machine."""
