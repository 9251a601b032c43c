"""Turn splits and dividends into adjustment factors, with every version kept."""
