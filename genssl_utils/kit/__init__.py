"""What every unit uses: data, networks, training, measures, pictures, checks and results."""
