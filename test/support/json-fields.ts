/** Fields of parsed JSON, checked: each throws when the field is missing or of another type. */
export type JsonObject = Record<string, unknown>;

function fail(name: string, wanted: string, value: unknown): never {
  throw new Error(`field '${name}' should be ${wanted}, but is ${JSON.stringify(value)}`);
}

export function parseObject(text: string): JsonObject {
  const value: unknown = JSON.parse(text);
  if (!isObject(value)) throw new Error(`not a JSON object: ${text.slice(0, 200)}`);
  return value;
}

export function numberField(object: JsonObject, name: string): number {
  const value = object[name];
  return typeof value === 'number' ? value : fail(name, 'a number', value);
}

export function stringField(object: JsonObject, name: string): string {
  const value = object[name];
  return typeof value === 'string' ? value : fail(name, 'a string', value);
}

export function listField(object: JsonObject, name: string): JsonObject[] {
  const value = object[name];
  if (!Array.isArray(value) || !value.every(isObject)) return fail(name, 'a list of objects', value);
  return value;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
