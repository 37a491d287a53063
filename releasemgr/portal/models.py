"""The portal owns no tables; it must have models to be told when all others are migrated."""
