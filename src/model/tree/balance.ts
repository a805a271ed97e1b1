/** Weight of a class's row: (mean rows a class / rows of this class) ** balance. */
export function balancedWeights(labels: Int32Array, classes: number, balance: number): Float64Array {
  const counts = new Float64Array(classes);
  for (const label of labels) counts[label]! += 1;
  return counts.map((count) => (count === 0 ? 1 : (labels.length / (classes * count)) ** balance));
}
