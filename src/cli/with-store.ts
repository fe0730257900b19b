import { openControl, openControlOfMount, type Control } from '../daemon/control/index.ts';
import type { Target } from './target.ts';

/** Does `work` on the store of a target, through its daemon or, where none runs, by opening it for as long as it takes. */
export async function withStore<Result>(target: Target, work: (control: Control) => Promise<Result>): Promise<Result> {
  const { mount, store } = target;
  const control = await (mount === undefined ? openControl(store) : openControlOfMount(mount, store));
  try {
    return await work(control);
  } finally {
    await control.close();
  }
}
