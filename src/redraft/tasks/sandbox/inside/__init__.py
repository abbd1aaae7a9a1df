"""What runs inside the sandbox: only the standard library, imported relatively."""

__all__: list[str] = []
