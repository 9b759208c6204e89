import type { Decider, DomainEvent } from '#platform/kernel';
import { ChainfoldError } from '#platform/kernel';
import { given } from './given.ts';

type Opened = DomainEvent<'Opened', { readonly at: number }>;
const opened: Opened = { type: 'Opened', data: { at: 1 } };

const door: Decider<boolean, 'open' | 'break', Opened> = {
  initialState: () => false,
  decide: (command, open) => {
    if (command === 'break') throw new ChainfoldError('No', { code: 'door-is-solid', kind: 'conflict', facts: { open } });
    return open ? [] : [opened];
  },
  evolve: () => true,
};

describe('given, when, then', () => {
  it('passes on exactly the facts that the decider states', () => {
    given(door, []).when('open').then([opened]);
    given(door, [opened]).when('open').then([]);
    given(door, [opened]).when('break').thenThrows('door-is-solid', { open: true });
  });

  it('fails on other facts, on another refusal, and on none', () => {
    expect(() => given(door, []).when('open').then([])).toThrow('toEqual');
    expect(() => given(door, []).when('break').thenThrows('door-is-locked')).toThrow('door-is-solid');
    expect(() => given(door, []).when('break').thenThrows('door-is-solid', { open: true })).toThrow('toMatchObject');
    expect(() => given(door, []).when('open').thenThrows('door-is-solid')).toThrow('expected a refusal');
  });
});
