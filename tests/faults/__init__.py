"""What goes wrong in the field, each fault by itself and all together, against a ledger kept outside."""
