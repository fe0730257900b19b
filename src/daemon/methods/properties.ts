// The properties of a volume: what can be set, to what, and what holds where nothing is set.

import { FsError } from '../../errors/index.ts';
import { parseSize } from '../../util/index.ts';
import type { Volume } from '../../volume/index.ts';
import { SNAPDIR_CHOICES, type PropertyInfo } from '../control/methods.ts';
import type { Fields } from '../control/protocol.ts';
import { stringParam } from '../params.ts';
import type { Service } from './service.ts';

interface Property {
  /** What it takes, for messages. */
  readonly takes: string;
  readonly fallback: string;
  /** What is stored for `value`; undefined where it takes no such value. */
  parse(value: string): string | undefined;
}

function choice(choices: readonly string[], fallback: string): Property {
  return { takes: choices.join(', '), fallback, parse: (value) => (choices.includes(value) ? value : undefined) };
}

/** Stored as bytes, decimal, or as `none`. */
const quota: Property = {
  takes: 'a size such as 10G, or none',
  fallback: 'none',
  parse: (value) => (value === 'none' ? value : parseSize(value)?.toString()),
};

const PROPERTIES: Readonly<Record<string, Property>> = {
  quota,
  snapdir: choice(SNAPDIR_CHOICES, 'hidden'),
  'access-points': choice(['name', 'gmt'], 'name'),
  'snapdir-control': choice(['on', 'off'], 'on'),
};

function describeProperty(volume: Volume, name: string, property: Property): PropertyInfo {
  const value = volume.record.properties[name];
  return {
    volume: volume.name,
    property: name,
    value: value ?? property.fallback,
    source: value === undefined ? 'default' : 'set',
  };
}

/** `volume.get`: all properties of a volume. */
export function getProperties(service: Service, params: Fields): PropertyInfo[] {
  const volume = service.core.volumes.get(stringParam(params, 'volume'));
  return Object.entries(PROPERTIES).map(([name, property]) => describeProperty(volume, name, property));
}

/** `volume.set`. */
export async function setProperty(service: Service, params: Fields): Promise<PropertyInfo> {
  const { volumes } = service.core;
  const volume = volumes.get(stringParam(params, 'volume'));
  const name = stringParam(params, 'property');
  const value = stringParam(params, 'value');
  const property = Object.hasOwn(PROPERTIES, name) ? PROPERTIES[name] : undefined;
  if (property === undefined) {
    const known = Object.keys(PROPERTIES).join(', ');
    throw new FsError('EINVAL', 'property-unknown', `volumes have no property "${name}"; they have: ${known}`);
  }
  const stored = property.parse(value);
  if (stored === undefined) {
    throw new FsError(
      'EINVAL',
      'property-value-illegal',
      `property ${name} can't be "${value}"; it takes: ${property.takes}`,
    );
  }
  volumes.setProperties(volume, { ...volume.record.properties, [name]: stored });
  volumes.record();
  if (name === 'snapdir') await service.daemon?.mounts.snapdirChanged(volume);
  await volumes.flush();
  service.log.info(`volume ${volume.name}: ${name} set to ${value}`);
  return describeProperty(volume, name, property);
}
