/**
 * Milliseconds after which a wait of the mesh tests counts as hung, and fails. No wait ends earlier than its state comes,
 * and none takes the end of this time for an answer.
 */
export const HUNG_MS = 120_000;
