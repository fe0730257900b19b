/**
 * Two sides of one thing, measured in turns, so that a drift of the machine cancels out: is the second as fast as the first? How far apart
 * two measurements of the same side lie says what is noise.
 */
import { median } from './snapshots.mjs';

/** What may be lost beside noise. */
const TOLERANCE = 0.05;
/** From the median of absolute deviations to a standard deviation, of normal noise. */
const MAD_TO_SIGMA = 1.4826;
/** The error of a median of n is this times sigma through the root of n. */
const MEDIAN_ERROR = 1.2533;
/** Nineteen of twenty medians lie within so many of their errors. */
const CONFIDENCE = 1.96;

/**
 * Measures both sides twice in each round, as 0 1 1 0 and 1 0 0 1 in turns. `measure(side, round)` gives one figure (less is better);
 * gives the rounds, each with the two figures of side 0 and the two of side 1.
 */
export function alternate(roundCount, measure) {
  return Array.from({ length: roundCount }, (_, round) => {
    const figures = [[], []];
    for (const side of round % 2 === 0 ? [0, 1, 1, 0] : [1, 0, 0, 1]) figures[side].push(measure(side, round));
    return figures;
  });
}

/**
 * Of rounds as `alternate` gives them: the medians of both sides; `ratio`, the median over rounds of side 1 to side 0; `spread`, how far
 * two figures of the same side are apart; `noise`, how far the ratio may be off by that.
 */
export function compare(rounds) {
  const sum = ([one, two]) => one + two;
  const ratio = median(rounds.map(([first, second]) => sum(second) / sum(first)));
  const same = rounds.flat().map(([one, two]) => Math.abs(Math.log(two / one)));
  const spread = MAD_TO_SIGMA * median(same);
  const noise = (CONFIDENCE * MEDIAN_ERROR * spread) / Math.sqrt(rounds.length);
  return {
    medians: [0, 1].map((side) => median(rounds.flatMap((round) => round[side]))),
    ratio,
    spread,
    noise,
  };
}

/**
 * What became of the ratio `before` (which `compare` gave, or undefined where it is to be 1): `change`, how often it is that now; `noise`, how
 * far that may be off; `isOutside`, whether it is further from 1 than the tolerance and the noise explain.
 */
export function compareWith(now, before = { ratio: 1, noise: 0 }) {
  const change = now.ratio / before.ratio;
  const noise = Math.hypot(now.noise, before.noise);
  return { change, noise, isOutside: Math.abs(change - 1) > TOLERANCE + noise };
}
