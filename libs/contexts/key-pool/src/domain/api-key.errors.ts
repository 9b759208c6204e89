import { ChainfoldError } from '#platform/kernel';

export class KeyUnregistered extends ChainfoldError {
  constructor() {
    super('This key is not registered', {
      code: 'key-unregistered',
      kind: 'missing',
      hint: 'Keys come from config/keys*.yaml or KEYS; they are registered when the program starts.',
    });
  }
}
