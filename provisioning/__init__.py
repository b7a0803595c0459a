"""The technician's tool: flash images, identities and virtual kiosks. It knows no database and no page."""
