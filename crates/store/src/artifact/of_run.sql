-- artifact/of_run.sql: artifacts called $2 of the accepted attempts of run $1's jobs, in the order of the jobs' names.
SELECT job.job_key, artifact.body FROM job
JOIN outcome ON outcome.tenant_id = job.tenant_id AND outcome.job_id = job.job_id AND outcome.state = 'succeeded'
JOIN artifact ON artifact.tenant_id = job.tenant_id AND artifact.job_id = job.job_id AND artifact.fence = outcome.fence
WHERE job.run_id = $1 AND artifact.name = $2
ORDER BY job.job_key
