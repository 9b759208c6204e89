import type { Upcasters } from '#platform/kernel';

/** Every event is of version 1 still. A later version comes with an upcaster here and an example in test/recorded/event-versions.jsonl. */
export const chainUpcasters: Upcasters = {};
