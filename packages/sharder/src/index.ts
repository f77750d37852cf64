export { digestOf, type Fingerprint, fingerprintOf } from "./fingerprint.ts";
export { checkLanes, checkWorldSize, DEFAULT_WINDOW_ROWS, defaultLanes, worldSizesFor } from "./lanes.ts";
export {
  buildManifest,
  type FragmentRef,
  type Manifest,
  type ManifestObject,
  relativeNames,
  type Segment,
  type SegmentBy,
} from "./manifest.ts";
export {
  type FragmentSpan,
  laneSpan,
  ORDER_VERSION,
  type OrderOptions,
  type RowSpan,
  SegmentOrder,
  type Window,
} from "./order.ts";
export { positionsOfRank, type RankSpan, rankSpans } from "./rank.ts";
export { checkFingerprint, type Ends, type OrderState, parseStateDict, toStateDict } from "./state.ts";
