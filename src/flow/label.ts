// Words by which the common labelled data sets mark harmless traffic: LUFlow and CIC "benign", UNSW and Westermo "Normal" and
// "GOOD-SSH", CTU-13 (argus) "flow=From-Normal-V42-…", "flow=To-Background-…", "flow=Background".
const BENIGN = /^\s*(?:flow=)?(?:(?:from|to)-)?(?:benign|(?:normal|background|good|legitimate)(?![a-z]))/i;

/** Whether a data set's label means harmless traffic. Everything it does not know is not benign; case does not matter. */
export function isBenignLabel(label: string): boolean {
  return BENIGN.test(label);
}
