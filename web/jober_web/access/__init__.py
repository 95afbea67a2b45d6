"""Who may do what: `who` is whoever asks, `guard` lets them through, or not."""
