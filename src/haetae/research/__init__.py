"""Named, resumable stages of the research flow."""
