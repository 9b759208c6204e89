import type { ActorDefinition, ActorSystem, Actors, Told, TellOptions } from '#platform/actors';
import type { StreamName } from '#platform/kernel';
import type { ApiKeyCommand } from '../domain/api-key.commands.ts';
import { apiKeyDecider } from '../domain/api-key.decider.ts';
import type { ApiKeyEvent } from '../domain/api-key.events.ts';
import type { ApiKey } from '../domain/api-key-state.ts';

/** `apikey-{alias}`: what was booked, spent and said of one key. */
export abstract class ApiKeyActors implements Actors<ApiKey, ApiKeyCommand> {
  abstract stream(id: string): StreamName;
  abstract tell(id: string, command: ApiKeyCommand, options?: TellOptions): Promise<Told>;
  abstract peek(id: string): Promise<{ readonly state: ApiKey; readonly revision: number }>;
}

const KEY_VERSIONS: ActorDefinition<ApiKey, ApiKeyCommand, ApiKeyEvent>['schemaVersions'] = {
  KeyRegistered: 1,
  BudgetLeased: 1,
  BudgetSettled: 1,
  LeaseLost: 1,
  KeyThrottled: 1,
  KeyExhausted: 1,
  KeyRevoked: 1,
  KeyRestored: 1,
};

/** By category. A log that holds later ones, or other types of these, is of a newer release. */
export const KEY_EVENT_VERSIONS = { apikey: KEY_VERSIONS };

/** Once per process. */
export function defineApiKeyActors(system: ActorSystem): ApiKeyActors {
  return system.define({
    category: 'apikey',
    decider: apiKeyDecider,
    schemaVersions: KEY_VERSIONS,
    snapshot: { stateVersion: 1, everyEvents: 500, toJson: (state) => state, fromJson: (json) => json as ApiKey },
  });
}
