-- A later day: every column of every user compared with the staging table, and what differs written.
--
-- Walking users in the order of their ids and looking the row up by the staging table's new key is the fastest plan
-- found: the other way round, or through links, every look-up is a random one into a table four times as large.
begin;

create unique index stage_key on stage (employee_id);

insert into departments (organization_id, name, folded, created_at, updated_at)
select 1, s.department_name, lower(s.department_name), 1, 1
from stage as s
where s.department_name <> '' and not exists (
  select 1 from departments as d where d.organization_id = 1 and d.folded = lower(s.department_name)
)
group by lower(s.department_name);

-- row is null for a user who is missing from the input.
create temp table differs as
select u.id as user_id, s.rowid as row
from users as u
left join stage as s on s.employee_id = u.employee_id
left join departments as d on d.id = u.department_id
left join users as m on m.id = u.manager_id
where u.organization_id = 1 and (
  s.rowid is null
  or u.email is not lower(nullif(s.email, ''))
  or u.first_name is not nullif(s.first_name, '')
  or u.last_name is not nullif(s.last_name, '')
  or u.preferred_name is not nullif(s.preferred_name, '')
  or u.title is not nullif(s.title, '')
  or d.folded is not lower(nullif(s.department_name, ''))
  or m.employee_id is not nullif(s.manager_id, '')
  or u.location is not nullif(s.location, '')
  or u.phone is not nullif(s.phone, '')
  or u.hire_date is not nullif(s.hire_date, '')
  or u.employment_status is not nullif(s.employment_status, '')
);

create temp table counts as
select s.total - u.total + x.missing as created, x.updated, u.total - x.missing - x.updated as unchanged, x.missing
from (select count(*) as total from stage) as s,
  (select count(*) as total from users where organization_id = 1) as u,
  (select count(row) as updated, count(*) - count(row) as missing from differs) as x;

-- New people, when the counts say that there are any: the rows first, their values below with the others.
insert into users (organization_id, employee_id, status, source_id, version, created_at, updated_at)
select 1, s.employee_id, 'active', 1, 0, 1, 1
from stage as s
where (select created from counts) > 0
  and not exists (select 1 from users as u where u.organization_id = 1 and u.employee_id = s.employee_id);

insert into differs (user_id, row)
select u.id, s.rowid from users as u join stage as s on s.employee_id = u.employee_id
where (select created from counts) > 0 and u.organization_id = 1 and u.version = 0;

insert into links (connection_id, source_key, user_id, active)
select 1, employee_id, id, 1 from users
where (select created from counts) > 0 and organization_id = 1 and version = 0;

update users set
  email = lower(nullif(s.email, '')),
  first_name = nullif(s.first_name, ''),
  last_name = nullif(s.last_name, ''),
  preferred_name = nullif(s.preferred_name, ''),
  title = nullif(s.title, ''),
  department_id = (select d.id from departments as d where d.organization_id = 1 and d.folded = lower(s.department_name)),
  manager_id = (select m.id from users as m where m.organization_id = 1 and m.employee_id = nullif(s.manager_id, '')),
  location = nullif(s.location, ''),
  phone = nullif(s.phone, ''),
  hire_date = nullif(s.hire_date, ''),
  employment_status = nullif(s.employment_status, ''),
  version = users.version + 1,
  updated_at = 1
from differs as x cross join stage as s on s.rowid = x.row
where users.id = x.user_id;

select json_object('created', created, 'updated', updated, 'unchanged', unchanged, 'missing', missing) from counts;

drop table stage;
commit;
