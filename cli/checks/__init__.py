"""What `sequence-sync check` looks at: each module gives the findings of one subject."""
