/** Weight of a class's row: (mean rows a class / rows of this class) ** balance. */
export function balancedWeights(labels: Int32Array, classes: number, balance: number): Float64Array {
  const counts = new Float64Array(classes);
  for (const label of labels) counts[label]! += 1;
  return counts.map((count) => (count === 0 ? 1 : (labels.length / (classes * count)) ** balance));
}

/** Belief before any row: benign as likely as attack, within them every class alike. */
export function evenPrior(isBenign: readonly boolean[]): Float64Array {
  const benign = isBenign.filter(Boolean).length;
  const attacks = isBenign.length - benign;
  const groups = (benign > 0 ? 1 : 0) + (attacks > 0 ? 1 : 0);
  return Float64Array.from(isBenign, (harmless) => 1 / groups / (harmless ? benign : attacks));
}
