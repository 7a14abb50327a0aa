"""The face while Mien starts, packed for the display. Written by edge.splash.render."""

PICTURES: dict[tuple[int, int], tuple[str, str]] = {
    (128, 64): (
        (
            "eNrVy6ENwzAQhWFbBoYe4VbIBl7LzBcVdK3LBF3hWGAMD0S+VmlByFVVZZKPvSf9zlmQmFtrIuUg8hrMhO6L"
            "fxqLDyF4jyf+uEY3BpK9d9UKKcX7um4PqKq970JjG4u+CRMhzrdlYflcYxtTTAA515OcAVIc3VzMVMr0w7iK"
            "J0LeluE="
        ),
        (
            "eNpjYMAFGg48ePDhw4cfPyrA4McPIOfBgwMNDHgAOXpwAUZmZmZGRhQRsBC19QxSwCMHBvZIACLCQ109o4A0"
            "YFBRYUAEZ6gAABhDMak="
        ),
    ),
    (128, 32): (
        (
            "eNpjYEAFDx58KCiosACCioKCDw8eMFAISDXvAFDDhw8VQACkHjw4QKn9JJr3HwQeHmhoaG8/9hDMocx6ks1j"
            "Zmfn5+eXBwIgxc7OjF0VOzsTjAGhmWAMUs0DAC4bS5c="
        ),
        ("eNpjYEAFDx58KCiosACCioKCDw8eMFAIqG0ejYGEhA0KkJAYXOZBATs7E4wBoZlgDFIBAOBLGV8="),
    ),
}
"""For each size: eyes open, and closed; base 64 of the compressed pages."""
