import type { FeatureSet, FeatureSetName } from './feature-set.ts';
import { FLOW_FEATURES } from './flow.ts';
import { HOST_FEATURES } from './host.ts';
import { LINK_FEATURES } from './link.ts';

/** Every feature set in its current version. */
export const FEATURE_SETS: Readonly<Record<FeatureSetName, FeatureSet>> = {
  link: LINK_FEATURES,
  host: HOST_FEATURES,
  flow: FLOW_FEATURES,
};
