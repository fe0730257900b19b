// The properties of a volume: what can be set, to what, and what holds where nothing is set.

import { FsError } from '../../errors/index.ts';
import type { Volume } from '../../volume/index.ts';
import { SNAPDIR_CHOICES, type PropertyInfo } from '../control/methods.ts';
import type { Fields } from '../control/protocol.ts';
import { stringParam } from '../params.ts';
import type { Service } from './service.ts';

interface Property {
  readonly choices: readonly string[];
  readonly fallback: string;
}

const PROPERTIES: Readonly<Record<string, Property>> = {
  snapdir: { choices: SNAPDIR_CHOICES, fallback: 'hidden' },
  'access-points': { choices: ['name', 'gmt'], fallback: 'name' },
  'snapdir-control': { choices: ['on', 'off'], fallback: 'on' },
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
  if (!property.choices.includes(value)) {
    throw new FsError(
      'EINVAL',
      'property-value-illegal',
      `property ${name} can't be "${value}"; it takes: ${property.choices.join(', ')}`,
    );
  }
  volume.record.properties[name] = value;
  if (name === 'snapdir') await service.daemon?.mounts.snapdirChanged(volume);
  await volumes.commit();
  service.log.info(`volume ${volume.name}: ${name} set to ${value}`);
  return describeProperty(volume, name, property);
}
