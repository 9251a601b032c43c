"""The ground floor: values, schemas, messages, errors and pure functions of the trade. No I/O, no asyncio."""
