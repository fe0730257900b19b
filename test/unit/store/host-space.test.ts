import { expect, it } from 'vitest';
import { StoreError } from '../../../src/errors/index.ts';
import { hostSpace } from '../../../src/store/host-space.ts';

it('a host that can not tell its free space is a failure that names the place', () => {
  const space = hostSpace('/no/such/place');
  expect(() => space.forData()).toThrow(StoreError);
  expect(() => space.forCommit()).toThrow(/free space of \/no\/such\/place: .*ENOENT/);
});
