-- A first import: from the staging table to users, departments and links, set by set, in one transaction.
--
-- Ids follow the file, so that a row's manager is one look-up in the staging table's key, and users needs no second
-- pass. Inserting in the order of the key was tried and is no faster: the sort costs what the indexes gain.
begin;

-- Also refuses a key that occurs twice.
create unique index stage_key on stage (employee_id);

insert into departments (organization_id, name, folded, created_at, updated_at)
select 1, department_name, lower(department_name), 0, 0
from stage where department_name <> '' group by lower(department_name);

insert into users (id, organization_id, employee_id, email, first_name, last_name, preferred_name, title,
  department_id, manager_id, location, phone, hire_date, employment_status, status, source_id, created_at, updated_at)
select s.rowid, 1, s.employee_id, lower(nullif(s.email, '')), nullif(s.first_name, ''), nullif(s.last_name, ''),
  nullif(s.preferred_name, ''), nullif(s.title, ''), d.id, m.rowid, nullif(s.location, ''), nullif(s.phone, ''),
  nullif(s.hire_date, ''), nullif(s.employment_status, ''), 'active', 1, 0, 0
from stage as s
left join departments as d on d.organization_id = 1 and d.folded = lower(s.department_name)
left join stage as m on m.employee_id = s.manager_id;

insert into links (connection_id, source_key, user_id, active)
select 1, employee_id, rowid, 1 from stage;

select json_object('created', count(*), 'updated', 0, 'unchanged', 0, 'missing', 0) from stage;

drop table stage;
commit;
