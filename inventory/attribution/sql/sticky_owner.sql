-- Decide whether the owner of the stored row `known` outlasts what the rules would decide now: an operator's word
-- stays until it is cleared, a saga's for good.
--
-- A part of other statements, a boolean: they have the row as `known`.
known.attributed_by IN ('operator', 'ours', 'saga')
