-- Jobs that came while ours waited for them. ARGV: as take.lua has it, of a job that we hold. Returns ids and
-- records of it and of all that are with it, as flat lists; none when it is not ours any more.
local job = look()
return is_ours(job) and with_company(job) or {}
