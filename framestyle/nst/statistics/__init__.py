"""What a style is compared by: a file a style loss, and the sums that several of them share."""
