"""Writes the workbook that test/runs/other-writers.test.ts reads, by XlsxWriter."""
import datetime
import sys

import xlsxwriter

book = xlsxwriter.Workbook(sys.argv[1], {"constant_memory": sys.argv[2] == "inline"})
people = book.add_worksheet("People")
padded = book.add_format({"num_format": "000000"})
date = book.add_format({"num_format": "dd/mm/yyyy"})
for column, name in enumerate(["employee_id", "email", "first_name", "last_name", "title", "hire_date", "phone"]):
    people.write_string(0, column, name)
people.write_number(1, 0, 123, padded)
for column, text in enumerate(["ana@example.com", "Ana", "Novák", "'t Lead"]):
    people.write_string(1, column + 1, text)
people.write_datetime(1, 5, datetime.date(2024, 2, 29), date)
people.write_string(1, 6, "+371 2012 3456")
for column, text in enumerate(["000124", "bo@example.com", "Bo", "Lind"]):
    people.write_string(2, column, text)
people.write_datetime(2, 5, datetime.datetime(2019, 12, 31), date)
people.write_number(2, 6, 49123456789)
people.set_row(3, None, None, {"hidden": True})
for column, text in enumerate(["000125", "cy@example.com", "Cy", "Ora", "Clerk & co <1>", "2021-05-06"]):
    people.write_string(3, column, text)
book.close()
