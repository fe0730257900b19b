import { expect, test } from 'vitest';
import { allEnded } from '../../../src/util/index.ts';

test('works that fail are told of when the last one has ended, the first of them in their order', async () => {
  const order: string[] = [];
  const after = async (turns: number, name: string, error?: Error): Promise<void> => {
    for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
    order.push(name);
    if (error !== undefined) throw error;
  };
  const works = [after(3, 'slow'), after(2, 'second', new Error('first')), after(1, 'quick', new Error('other'))];
  await expect(allEnded(works)).rejects.toThrow('first');
  expect(order).toEqual(['quick', 'second', 'slow']);
  await expect(allEnded([after(1, 'well'), after(0, 'too')])).resolves.toBeUndefined();
  await expect(allEnded([])).resolves.toBeUndefined();
});
