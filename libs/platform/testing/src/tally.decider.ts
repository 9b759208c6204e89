import { ChainfoldError, type Decider, type DomainEvent } from '#platform/kernel';

/** Adds on purpose whatever is told twice, so that a doubled or lost command shows. */
export type TallyCommand =
  | { readonly type: 'Add'; readonly by: number; readonly key: string }
  | { readonly type: 'TakeAll' }
  /** Nothing to say. */
  | { readonly type: 'Glance' }
  | { readonly type: 'Refuse'; readonly padding?: string }
  /** Entries `of` sizes that are missing; goes on from any prefix. */
  | { readonly type: 'Fill'; readonly entries: readonly string[] }
  /** An event that `evolve` can not take. */
  | { readonly type: 'Poison' };

export type TallyEvent =
  | DomainEvent<'Added', { readonly by: number; readonly key: string }>
  | DomainEvent<'TookAll', { readonly sum: number }>
  | DomainEvent<'Filled', { readonly entry: string }>
  | DomainEvent<'Poisoned', Record<string, never>>;

export interface Tally {
  readonly sum: number;
  readonly keys: readonly string[];
  readonly filled: number;
}

export const tallyDecider: Decider<Tally, TallyCommand, TallyEvent> = {
  initialState: () => ({ sum: 0, keys: [], filled: 0 }),
  decide(command, tally) {
    switch (command.type) {
      case 'Add':
        return [{ type: 'Added', data: { by: command.by, key: command.key } }];
      case 'TakeAll':
        if (tally.sum === 0) throw new ChainfoldError('Nothing is there', { code: 'tally-empty', kind: 'conflict' });
        return [{ type: 'TookAll', data: { sum: tally.sum } }];
      case 'Glance':
        return [];
      case 'Refuse':
        throw new ChainfoldError('No', { code: 'tally-refused', kind: 'conflict' });
      case 'Fill':
        return command.entries.slice(tally.filled).map((entry) => ({ type: 'Filled', data: { entry } }));
      case 'Poison':
        return [{ type: 'Poisoned', data: {} }];
    }
  },
  evolve(tally, event) {
    switch (event.type) {
      case 'Added':
        return { ...tally, sum: tally.sum + event.data.by, keys: [...tally.keys, event.data.key] };
      case 'TookAll':
        return { ...tally, sum: 0 };
      case 'Filled':
        return { ...tally, filled: tally.filled + 1 };
      case 'Poisoned':
        throw new Error('poison');
    }
  },
};

export const TALLY_VERSIONS = { Added: 1, TookAll: 1, Filled: 1, Poisoned: 1 } as const;
