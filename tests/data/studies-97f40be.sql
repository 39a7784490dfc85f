BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('v3.2.0.a');
CREATE TABLE studies (
	study_id INTEGER NOT NULL, 
	study_name VARCHAR(512) NOT NULL, 
	PRIMARY KEY (study_id)
);
INSERT INTO "studies" VALUES(1,'tiny');
INSERT INTO "studies" VALUES(2,'search');
CREATE TABLE study_directions (
	study_direction_id INTEGER NOT NULL, 
	direction VARCHAR(8) NOT NULL, 
	study_id INTEGER NOT NULL, 
	objective INTEGER NOT NULL, 
	PRIMARY KEY (study_direction_id), 
	UNIQUE (study_id, objective), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
INSERT INTO "study_directions" VALUES(1,'MINIMIZE',1,0);
INSERT INTO "study_directions" VALUES(2,'MINIMIZE',1,1);
INSERT INTO "study_directions" VALUES(3,'MINIMIZE',1,2);
INSERT INTO "study_directions" VALUES(4,'MINIMIZE',2,0);
INSERT INTO "study_directions" VALUES(5,'MINIMIZE',2,1);
INSERT INTO "study_directions" VALUES(6,'MINIMIZE',2,2);
CREATE TABLE study_system_attributes (
	study_system_attribute_id INTEGER NOT NULL, 
	study_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (study_system_attribute_id), 
	UNIQUE (study_id, "key"), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
INSERT INTO "study_system_attributes" VALUES(1,1,'study:metric_names','["verbmem_f (minimize)", "privleak (zero)", "knowmem_r (maximize)"]');
INSERT INTO "study_system_attributes" VALUES(2,2,'study:metric_names','["verbmem_f (minimize)", "privleak (zero)", "knowmem_r (maximize)"]');
CREATE TABLE study_user_attributes (
	study_user_attribute_id INTEGER NOT NULL, 
	study_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (study_user_attribute_id), 
	UNIQUE (study_id, "key"), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
INSERT INTO "study_user_attributes" VALUES(1,1,'lethe','{"objectives": [{"score": "verbmem_f", "goal": "minimize"}, {"score": "privleak", "goal": "zero"}, {"score": "knowmem_r", "goal": "maximize"}], "constraints": [{"score": "utility", "floor": 40.0}], "sampler": "random", "seed": 0, "references": {}, "about": {"benchmark": "made-up", "protocol": "muse", "settings": {"steps": 2}, "ablation": {"arms": [{"name": "baseline", "levels": {}, "settings": {}}, {"name": "damping=off", "levels": {"damping": "off"}, "settings": {"damping": 0.0}}, {"name": "loss=ll", "levels": {"loss": "ll"}, "settings": {"forget_loss": "ll"}}], "parts": [{"kind": "one at a time", "switches": {"damping": ["on", "off"], "loss": ["nlul", "ll"]}, "arms": {"baseline": {"damping": "on", "loss": "nlul"}, "damping=off": {"damping": "off", "loss": "nlul"}, "loss=ll": {"damping": "on", "loss": "ll"}}, "generators": []}]}}, "id": ""}');
INSERT INTO "study_user_attributes" VALUES(2,2,'lethe','{"objectives": [{"score": "verbmem_f", "goal": "minimize"}, {"score": "privleak", "goal": "zero"}, {"score": "knowmem_r", "goal": "maximize"}], "constraints": [{"score": "utility", "floor": 40.0}], "sampler": "random", "seed": 0, "references": {"target": {"verbmem_f": [100, 98, 102], "privleak": [-100, -102, -98], "knowmem_r": [50.0, 48.0, 52.0], "utility": [60, 58, 62]}, "retrained": {"verbmem_f": [20, 18, 22], "privleak": [0.0, -2.0, 2.0], "knowmem_r": [50.0, 48.0, 52.0], "utility": [50.0, 48.0, 52.0]}}, "about": {"benchmark": "muse-mini", "protocol": "muse", "settings": {"lr": 0.1, "steps": 30, "freeze": true}, "items": {"target": "target.parquet"}, "versions": {"torch": "2.13.0"}}, "id": ""}');
INSERT INTO "study_user_attributes" VALUES(3,2,'planned','7');
CREATE TABLE trial_heartbeats (
	trial_heartbeat_id INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	heartbeat DATETIME NOT NULL, 
	PRIMARY KEY (trial_heartbeat_id), 
	UNIQUE (trial_id), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
CREATE TABLE trial_intermediate_values (
	trial_intermediate_value_id INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	step INTEGER NOT NULL, 
	intermediate_value FLOAT, 
	intermediate_value_type VARCHAR(7) NOT NULL, 
	PRIMARY KEY (trial_intermediate_value_id), 
	UNIQUE (trial_id, step), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
CREATE TABLE trial_params (
	param_id INTEGER NOT NULL, 
	trial_id INTEGER, 
	param_name VARCHAR(512), 
	param_value FLOAT, 
	distribution_json TEXT, 
	PRIMARY KEY (param_id), 
	UNIQUE (trial_id, param_name), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_params" VALUES(1,1,'arm',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["baseline", "damping=off", "loss=ll"]}}');
INSERT INTO "trial_params" VALUES(2,1,'seed',0.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 0, "high": 99}}');
INSERT INTO "trial_params" VALUES(3,2,'arm',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["baseline", "damping=off", "loss=ll"]}}');
INSERT INTO "trial_params" VALUES(4,2,'seed',0.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 0, "high": 99}}');
INSERT INTO "trial_params" VALUES(5,3,'arm',2.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["baseline", "damping=off", "loss=ll"]}}');
INSERT INTO "trial_params" VALUES(6,3,'seed',0.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 0, "high": 99}}');
INSERT INTO "trial_params" VALUES(7,4,'arm',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["baseline", "damping=off", "loss=ll"]}}');
INSERT INTO "trial_params" VALUES(8,4,'seed',1.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 0, "high": 99}}');
INSERT INTO "trial_params" VALUES(9,5,'arm',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["baseline", "damping=off", "loss=ll"]}}');
INSERT INTO "trial_params" VALUES(10,5,'seed',1.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 0, "high": 99}}');
INSERT INTO "trial_params" VALUES(11,6,'arm',2.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["baseline", "damping=off", "loss=ll"]}}');
INSERT INTO "trial_params" VALUES(12,6,'seed',1.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 0, "high": 99}}');
INSERT INTO "trial_params" VALUES(13,7,'lr',4.08532203887244149687e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.001, "high": 1.0, "log": true}}');
INSERT INTO "trial_params" VALUES(14,7,'delta',7.15868294193068410713e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 1.0, "log": false}}');
INSERT INTO "trial_params" VALUES(15,8,'lr',1.10966734831538672151e-02,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.001, "high": 1.0, "log": true}}');
INSERT INTO "trial_params" VALUES(16,8,'delta',7.33341943517562211418e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 1.0, "log": false}}');
INSERT INTO "trial_params" VALUES(17,9,'lr',1.39169665644167076141e-03,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.001, "high": 1.0, "log": true}}');
INSERT INTO "trial_params" VALUES(18,9,'delta',9.1530417466260238779e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 1.0, "log": false}}');
INSERT INTO "trial_params" VALUES(19,10,'lr',0.634067209473171,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.001, "high": 1.0, "log": true}}');
INSERT INTO "trial_params" VALUES(20,10,'delta',9.23231797493920813835e-02,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 1.0, "log": false}}');
INSERT INTO "trial_params" VALUES(21,11,'lr',2.58611811567308787218e-02,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.001, "high": 1.0, "log": true}}');
INSERT INTO "trial_params" VALUES(22,11,'delta',1.07438541987445734804e-02,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 1.0, "log": false}}');
CREATE TABLE trial_system_attributes (
	trial_system_attribute_id INTEGER NOT NULL, 
	trial_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (trial_system_attribute_id), 
	UNIQUE (trial_id, "key"), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_system_attributes" VALUES(1,1,'fixed_params','{"arm": "baseline", "seed": 0}');
INSERT INTO "trial_system_attributes" VALUES(2,2,'fixed_params','{"arm": "damping=off", "seed": 0}');
INSERT INTO "trial_system_attributes" VALUES(3,3,'fixed_params','{"arm": "loss=ll", "seed": 0}');
INSERT INTO "trial_system_attributes" VALUES(4,4,'fixed_params','{"arm": "baseline", "seed": 1}');
INSERT INTO "trial_system_attributes" VALUES(5,5,'fixed_params','{"arm": "damping=off", "seed": 1}');
INSERT INTO "trial_system_attributes" VALUES(6,6,'fixed_params','{"arm": "loss=ll", "seed": 1}');
INSERT INTO "trial_system_attributes" VALUES(7,1,'constraints:utility','-50.0');
INSERT INTO "trial_system_attributes" VALUES(8,2,'constraints:utility','-50.0');
INSERT INTO "trial_system_attributes" VALUES(9,3,'constraints:utility','-50.0');
INSERT INTO "trial_system_attributes" VALUES(10,4,'constraints:utility','-50.0');
INSERT INTO "trial_system_attributes" VALUES(11,5,'constraints:utility','-50.0');
INSERT INTO "trial_system_attributes" VALUES(12,6,'constraints:utility','-50.0');
INSERT INTO "trial_system_attributes" VALUES(13,7,'constraints:utility','-11.829355922255118');
INSERT INTO "trial_system_attributes" VALUES(14,8,'constraints:utility','-19.778066530336922');
INSERT INTO "trial_system_attributes" VALUES(15,9,'constraints:utility','-19.972166066871168');
CREATE TABLE trial_user_attributes (
	trial_user_attribute_id INTEGER NOT NULL, 
	trial_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (trial_user_attribute_id), 
	UNIQUE (trial_id, "key"), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_user_attributes" VALUES(1,1,'run','"[]/0"');
INSERT INTO "trial_user_attributes" VALUES(2,2,'run','"[(''damping'', 0.0)]/0"');
INSERT INTO "trial_user_attributes" VALUES(3,3,'run','"[(''forget_loss'', ''ll'')]/0"');
INSERT INTO "trial_user_attributes" VALUES(4,4,'run','"[]/1"');
INSERT INTO "trial_user_attributes" VALUES(5,5,'run','"[(''damping'', 0.0)]/1"');
INSERT INTO "trial_user_attributes" VALUES(6,6,'run','"[(''forget_loss'', ''ll'')]/1"');
INSERT INTO "trial_user_attributes" VALUES(7,1,'driver','"vm d1dd57d3-af7f-4624-8718-0650985e47c7 4026531836 23347 ticks-3066794"');
INSERT INTO "trial_user_attributes" VALUES(8,1,'checkpoint/000001/student','{"weights": null, "items": "0-1-student.parquet", "scores": {"verbmem_f": [18.649047261671676, 17.649047261671676, 19.649047261671676], "privleak": [-20.0, -21.0, -19.0], "knowmem_r": [80.0, 79.0, 81.0], "utility": [90.0, 89.0, 91.0]}}');
INSERT INTO "trial_user_attributes" VALUES(9,1,'checkpoint/000001/teacher','{"weights": null, "items": "0-1-teacher.parquet", "scores": {"verbmem_f": [18.649047261671676, 17.649047261671676, 19.649047261671676], "privleak": [-20.0, -21.0, -19.0], "knowmem_r": [80.0, 79.0, 81.0], "utility": [90.0, 89.0, 91.0]}}');
INSERT INTO "trial_user_attributes" VALUES(10,1,'checkpoint/000002/student','{"weights": null, "items": "0-2-student.parquet", "scores": {"verbmem_f": [18.45746458620487, 17.45746458620487, 19.45746458620487], "privleak": [-20.0, -21.0, -19.0], "knowmem_r": [80.0, 79.0, 81.0], "utility": [90.0, 89.0, 91.0]}}');
INSERT INTO "trial_user_attributes" VALUES(11,1,'checkpoint/000002/teacher','{"weights": null, "items": "0-2-teacher.parquet", "scores": {"verbmem_f": [18.45746458620487, 17.45746458620487, 19.45746458620487], "privleak": [-20.0, -21.0, -19.0], "knowmem_r": [80.0, 79.0, 81.0], "utility": [90.0, 89.0, 91.0]}}');
INSERT INTO "trial_user_attributes" VALUES(12,1,'representative','"2/student"');
INSERT INTO "trial_user_attributes" VALUES(13,2,'driver','"vm d1dd57d3-af7f-4624-8718-0650985e47c7 4026531836 23347 ticks-3066794"');
INSERT INTO "trial_user_attributes" VALUES(14,2,'checkpoint/000001/student','{"weights": null, "items": "1-1-student.parquet", "scores": {"verbmem_f": [19.217749152945153, 18.217749152945153, 20.217749152945153], "privleak": [-20.0, -21.0, -19.0], "knowmem_r": [80.0, 79.0, 81.0], "utility": [90.0, 89.0, 91.0]}}');
INSERT INTO "trial_user_attributes" VALUES(15,2,'checkpoint/000001/teacher','{"weights": null, "items": "1-1-teacher.parquet", "scores": {"verbmem_f": [19.217749152945153, 18.217749152945153, 20.217749152945153], "privleak": [-20.0, -21.0, -19.0], "knowmem_r": [80.0, 79.0, 81.0], "utility": [90.0, 89.0, 91.0]}}');
INSERT INTO "trial_user_attributes" VALUES(16,2,'checkpoint/000002/student','{"weights": null, "items": "1-2-student.parquet", "scores": {"verbmem_f": [19.594868368751825, 18.594868368751825, 20.594868368751825], "privleak": [-20.0, -21.0, -19.0], "knowmem_r": [80.0, 79.0, 81.0], "utility": [90.0, 89.0, 91.0]}}');
INSERT INTO "trial_user_attributes" VALUES(17,2,'checkpoint/000002/teacher','{"weights": null, "items": "1-2-teacher.parquet", "scores": {"verbmem_f": [19.594868368751825, 18.594868368751825, 20.594868368751825], "privleak": [-20.0, -21.0, -19.0], "knowmem_r": [80.0, 79.0, 81.0], "utility": [90.0, 89.0, 91.0]}}');
INSERT INTO "trial_user_attributes" VALUES(18,2,'representative','"1/student"');
INSERT INTO "trial_user_attributes" VALUES(19,3,'driver','"vm d1dd57d3-af7f-4624-8718-0650985e47c7 4026531836 23347 ticks-3066794"');
INSERT INTO "trial_user_attributes" VALUES(20,3,'checkpoint/000001/student','{"weights": null, "items": "2-1-student.parquet", "scores": {"verbmem_f": [48.898956190241094, 47.898956190241094, 49.898956190241094], "privleak": [-20.0, -21.0, -19.0], "knowmem_r": [80.0, 79.0, 81.0], "utility": [90.0, 89.0, 91.0]}}');
INSERT INTO "trial_user_attributes" VALUES(21,3,'checkpoint/000001/teacher','{"weights": null, "items": "2-1-teacher.parquet", "scores": {"verbmem_f": [48.898956190241094, 47.898956190241094, 49.898956190241094], "privleak": [-20.0, -21.0, -19.0], "knowmem_r": [80.0, 79.0, 81.0], "utility": [90.0, 89.0, 91.0]}}');
INSERT INTO "trial_user_attributes" VALUES(22,3,'checkpoint/000002/student','{"weights": null, "items": "2-2-student.parquet", "scores": {"verbmem_f": [78.9572824433437, 77.9572824433437, 79.9572824433437], "privleak": [-20.0, -21.0, -19.0], "knowmem_r": [80.0, 79.0, 81.0], "utility": [90.0, 89.0, 91.0]}}');
INSERT INTO "trial_user_attributes" VALUES(23,3,'checkpoint/000002/teacher','{"weights": null, "items": "2-2-teacher.parquet", "scores": {"verbmem_f": [78.9572824433437, 77.9572824433437, 79.9572824433437], "privleak": [-20.0, -21.0, -19.0], "knowmem_r": [80.0, 79.0, 81.0], "utility": [90.0, 89.0, 91.0]}}');
INSERT INTO "trial_user_attributes" VALUES(24,3,'representative','"1/student"');
INSERT INTO "trial_user_attributes" VALUES(25,4,'driver','"vm d1dd57d3-af7f-4624-8718-0650985e47c7 4026531836 23347 ticks-3066794"');
INSERT INTO "trial_user_attributes" VALUES(26,4,'checkpoint/000001/student','{"weights": null, "items": "3-1-student.parquet", "scores": {"verbmem_f": [20.99268347507262, 19.99268347507262, 21.99268347507262], "privleak": [-19.0, -20.0, -18.0], "knowmem_r": [80.0, 79.0, 81.0], "utility": [90.0, 89.0, 91.0]}}');
INSERT INTO "trial_user_attributes" VALUES(27,4,'checkpoint/000001/teacher','{"weights": null, "items": "3-1-teacher.parquet", "scores": {"verbmem_f": [20.99268347507262, 19.99268347507262, 21.99268347507262], "privleak": [-19.0, -20.0, -18.0], "knowmem_r": [80.0, 79.0, 81.0], "utility": [90.0, 89.0, 91.0]}}');
INSERT INTO "trial_user_attributes" VALUES(28,4,'checkpoint/000002/student','{"weights": null, "items": "3-2-student.parquet", "scores": {"verbmem_f": [20.91593404437625, 19.91593404437625, 21.91593404437625], "privleak": [-19.0, -20.0, -18.0], "knowmem_r": [80.0, 79.0, 81.0], "utility": [90.0, 89.0, 91.0]}}');
INSERT INTO "trial_user_attributes" VALUES(29,4,'checkpoint/000002/teacher','{"weights": null, "items": "3-2-teacher.parquet", "scores": {"verbmem_f": [20.91593404437625, 19.91593404437625, 21.91593404437625], "privleak": [-19.0, -20.0, -18.0], "knowmem_r": [80.0, 79.0, 81.0], "utility": [90.0, 89.0, 91.0]}}');
INSERT INTO "trial_user_attributes" VALUES(30,4,'representative','"2/student"');
INSERT INTO "trial_user_attributes" VALUES(31,5,'driver','"vm d1dd57d3-af7f-4624-8718-0650985e47c7 4026531836 23347 ticks-3066794"');
INSERT INTO "trial_user_attributes" VALUES(32,5,'checkpoint/000001/student','{"weights": null, "items": "4-1-student.parquet", "scores": {"verbmem_f": [21.682841510952407, 20.682841510952407, 22.682841510952407], "privleak": [-19.0, -20.0, -18.0], "knowmem_r": [80.0, 79.0, 81.0], "utility": [90.0, 89.0, 91.0]}}');
INSERT INTO "trial_user_attributes" VALUES(33,5,'checkpoint/000001/teacher','{"weights": null, "items": "4-1-teacher.parquet", "scores": {"verbmem_f": [21.682841510952407, 20.682841510952407, 22.682841510952407], "privleak": [-19.0, -20.0, -18.0], "knowmem_r": [80.0, 79.0, 81.0], "utility": [90.0, 89.0, 91.0]}}');
INSERT INTO "trial_user_attributes" VALUES(34,5,'checkpoint/000002/student','{"weights": null, "items": "4-2-student.parquet", "scores": {"verbmem_f": [22.296250116135827, 21.296250116135827, 23.296250116135827], "privleak": [-19.0, -20.0, -18.0], "knowmem_r": [80.0, 79.0, 81.0], "utility": [90.0, 89.0, 91.0]}}');
INSERT INTO "trial_user_attributes" VALUES(35,5,'checkpoint/000002/teacher','{"weights": null, "items": "4-2-teacher.parquet", "scores": {"verbmem_f": [22.296250116135827, 21.296250116135827, 23.296250116135827], "privleak": [-19.0, -20.0, -18.0], "knowmem_r": [80.0, 79.0, 81.0], "utility": [90.0, 89.0, 91.0]}}');
INSERT INTO "trial_user_attributes" VALUES(36,5,'representative','"1/student"');
INSERT INTO "trial_user_attributes" VALUES(37,6,'driver','"vm d1dd57d3-af7f-4624-8718-0650985e47c7 4026531836 23347 ticks-3066794"');
INSERT INTO "trial_user_attributes" VALUES(38,6,'checkpoint/000001/student','{"weights": null, "items": "5-1-student.parquet", "scores": {"verbmem_f": [51.04294774903987, 50.04294774903987, 52.04294774903987], "privleak": [-19.0, -20.0, -18.0], "knowmem_r": [80.0, 79.0, 81.0], "utility": [90.0, 89.0, 91.0]}}');
INSERT INTO "trial_user_attributes" VALUES(39,6,'checkpoint/000001/teacher','{"weights": null, "items": "5-1-teacher.parquet", "scores": {"verbmem_f": [51.04294774903987, 50.04294774903987, 52.04294774903987], "privleak": [-19.0, -20.0, -18.0], "knowmem_r": [80.0, 79.0, 81.0], "utility": [90.0, 89.0, 91.0]}}');
INSERT INTO "trial_user_attributes" VALUES(40,6,'checkpoint/000002/student','{"weights": null, "items": "5-2-student.parquet", "scores": {"verbmem_f": [81.01646259231076, 80.01646259231076, 82.01646259231076], "privleak": [-19.0, -20.0, -18.0], "knowmem_r": [80.0, 79.0, 81.0], "utility": [90.0, 89.0, 91.0]}}');
INSERT INTO "trial_user_attributes" VALUES(41,6,'checkpoint/000002/teacher','{"weights": null, "items": "5-2-teacher.parquet", "scores": {"verbmem_f": [81.01646259231076, 80.01646259231076, 82.01646259231076], "privleak": [-19.0, -20.0, -18.0], "knowmem_r": [80.0, 79.0, 81.0], "utility": [90.0, 89.0, 91.0]}}');
INSERT INTO "trial_user_attributes" VALUES(42,6,'representative','"1/student"');
INSERT INTO "trial_user_attributes" VALUES(43,7,'driver','"vm d1dd57d3-af7f-4624-8718-0650985e47c7 4026531836 23347 ticks-3066794"');
INSERT INTO "trial_user_attributes" VALUES(44,7,'checkpoint/000010/student','{"scores": {"verbmem_f": [19.664438011122066, 17.664438011122066, 21.664438011122066], "privleak": [-59.14677961127558, -61.14677961127558, -57.14677961127558], "knowmem_r": [85.91467796112755, 83.91467796112755, 87.91467796112755], "utility": [55.91467796112756, 53.91467796112756, 57.91467796112756]}, "weights": null, "items": "trial-0/10-student.parquet"}');
INSERT INTO "trial_user_attributes" VALUES(45,7,'checkpoint/000010/teacher','{"scores": {"verbmem_f": [32.865968098716806, 30.865968098716806, 34.865968098716806], "privleak": [-79.57338980563779, -81.57338980563779, -77.57338980563779], "knowmem_r": [87.95733898056378, 85.95733898056378, 89.95733898056378], "utility": [57.957338980563776, 55.957338980563776, 59.957338980563776]}, "weights": null, "items": "trial-0/10-teacher.parquet"}');
INSERT INTO "trial_user_attributes" VALUES(46,7,'checkpoint/000020/student','{"scores": {"verbmem_f": [10.904359514145554, 8.904359514145554, 12.904359514145554], "privleak": [-18.293559222551167, -20.293559222551167, -16.293559222551167], "knowmem_r": [81.82935592225512, 79.82935592225512, 83.82935592225512], "utility": [51.82935592225512, 49.82935592225512, 53.82935592225512]}, "weights": null, "items": "trial-0/20-student.parquet"}');
INSERT INTO "trial_user_attributes" VALUES(47,7,'checkpoint/000020/teacher','{"scores": {"verbmem_f": [19.664438011122066, 17.664438011122066, 21.664438011122066], "privleak": [-59.14677961127558, -61.14677961127558, -57.14677961127558], "knowmem_r": [85.91467796112755, 83.91467796112755, 87.91467796112755], "utility": [55.91467796112756, 53.91467796112756, 57.91467796112756]}, "weights": null, "items": "trial-0/20-teacher.parquet"}');
INSERT INTO "trial_user_attributes" VALUES(48,7,'representative','"20/student"');
INSERT INTO "trial_user_attributes" VALUES(49,8,'driver','"vm d1dd57d3-af7f-4624-8718-0650985e47c7 4026531836 23347 ticks-3066794"');
INSERT INTO "trial_user_attributes" VALUES(50,8,'checkpoint/000010/student','{"scores": {"verbmem_f": [90.01169599840763, 88.01169599840763, 92.01169599840763], "privleak": [-98.89033265168462, -100.89033265168462, -96.89033265168462], "knowmem_r": [89.88903326516846, 87.88903326516846, 91.88903326516846], "utility": [59.889033265168464, 57.889033265168464, 61.889033265168464]}, "weights": null, "items": "trial-1/10-student.parquet"}');
INSERT INTO "trial_user_attributes" VALUES(51,8,'checkpoint/000010/teacher','{"scores": {"verbmem_f": [94.74332148391746, 92.74332148391746, 96.74332148391746], "privleak": [-99.44516632584231, -101.44516632584231, -97.44516632584231], "knowmem_r": [89.94451663258423, 87.94451663258423, 91.94451663258423], "utility": [59.94451663258423, 57.94451663258423, 61.94451663258423]}, "weights": null, "items": "trial-1/10-teacher.parquet"}');
INSERT INTO "trial_user_attributes" VALUES(52,8,'checkpoint/000020/student','{"scores": {"verbmem_f": [81.83751610271624, 79.83751610271624, 83.83751610271624], "privleak": [-97.78066530336923, -99.78066530336923, -95.78066530336923], "knowmem_r": [89.77806653033693, 87.77806653033693, 91.77806653033693], "utility": [59.77806653033692, 57.77806653033692, 61.77806653033692]}, "weights": null, "items": "trial-1/20-student.parquet"}');
INSERT INTO "trial_user_attributes" VALUES(53,8,'checkpoint/000020/teacher','{"scores": {"verbmem_f": [90.01169599840763, 88.01169599840763, 92.01169599840763], "privleak": [-98.89033265168462, -100.89033265168462, -96.89033265168462], "knowmem_r": [89.88903326516846, 87.88903326516846, 91.88903326516846], "utility": [59.889033265168464, 57.889033265168464, 61.889033265168464]}, "weights": null, "items": "trial-1/20-teacher.parquet"}');
INSERT INTO "trial_user_attributes" VALUES(54,8,'representative','"20/student"');
INSERT INTO "trial_user_attributes" VALUES(55,9,'driver','"vm d1dd57d3-af7f-4624-8718-0650985e47c7 4026531836 23347 ticks-3066794"');
INSERT INTO "trial_user_attributes" VALUES(56,9,'checkpoint/000010/student','{"scores": {"verbmem_f": [98.62740569264035, 96.62740569264035, 100.62740569264035], "privleak": [-99.86083033435584, -101.86083033435584, -97.86083033435584], "knowmem_r": [89.98608303343558, 87.98608303343558, 91.98608303343558], "utility": [59.986083033435584, 57.986083033435584, 61.986083033435584]}, "weights": null, "items": "trial-2/10-student.parquet"}');
INSERT INTO "trial_user_attributes" VALUES(57,9,'checkpoint/000010/teacher','{"scores": {"verbmem_f": [99.30896026025553, 97.30896026025553, 101.30896026025553], "privleak": [-99.93041516717791, -101.93041516717791, -97.93041516717791], "knowmem_r": [89.9930415167178, 87.9930415167178, 91.9930415167178], "utility": [59.99304151671779, 57.99304151671779, 61.99304151671779]}, "weights": null, "items": "trial-2/10-teacher.parquet"}');
INSERT INTO "trial_user_attributes" VALUES(58,9,'checkpoint/000020/student','{"scores": {"verbmem_f": [97.29198149314803, 95.29198149314803, 99.29198149314803], "privleak": [-99.72166066871166, -101.72166066871166, -97.72166066871166], "knowmem_r": [89.97216606687117, 87.97216606687117, 91.97216606687117], "utility": [59.97216606687117, 57.97216606687117, 61.97216606687117]}, "weights": null, "items": "trial-2/20-student.parquet"}');
INSERT INTO "trial_user_attributes" VALUES(59,9,'checkpoint/000020/teacher','{"scores": {"verbmem_f": [98.62740569264035, 96.62740569264035, 100.62740569264035], "privleak": [-99.86083033435584, -101.86083033435584, -97.86083033435584], "knowmem_r": [89.98608303343558, 87.98608303343558, 91.98608303343558], "utility": [59.986083033435584, 57.986083033435584, 61.986083033435584]}, "weights": null, "items": "trial-2/20-teacher.parquet"}');
INSERT INTO "trial_user_attributes" VALUES(60,9,'representative','"20/student"');
INSERT INTO "trial_user_attributes" VALUES(61,10,'driver','"vm d1dd57d3-af7f-4624-8718-0650985e47c7 4026531836 23347 ticks-3066794"');
INSERT INTO "trial_user_attributes" VALUES(62,10,'checkpoint/000010/student','{"scores": {"verbmem_f": [13.622730822123017, 11.622730822123017, 15.622730822123017], "privleak": [-36.5932790526829, -38.5932790526829, -34.5932790526829], "knowmem_r": [83.65932790526828, 81.65932790526828, 85.65932790526828], "utility": [53.65932790526829, 51.65932790526829, 55.65932790526829]}, "weights": null, "items": "trial-3/10-student.parquet"}');
INSERT INTO "trial_user_attributes" VALUES(63,10,'checkpoint/000010/teacher','{"scores": {"verbmem_f": [23.978882963919382, 21.978882963919382, 25.978882963919382], "privleak": [-68.29663952634145, -70.29663952634145, -66.29663952634145], "knowmem_r": [86.82966395263415, 84.82966395263415, 88.82966395263415], "utility": [56.82966395263414, 54.82966395263414, 58.82966395263414]}, "weights": null, "items": "trial-3/10-teacher.parquet"}');
INSERT INTO "trial_user_attributes" VALUES(64,10,'checkpoint/000020/student','{"scores": {"verbmem_f": [7.309223320104337, 5.309223320104337, 9.309223320104337], "privleak": [26.813441894634195, 24.813441894634195, 28.813441894634195], "knowmem_r": [77.31865581053658, 75.31865581053658, 79.31865581053658], "utility": [47.31865581053658, 45.31865581053658, 49.31865581053658]}, "weights": null, "items": "trial-3/20-student.parquet"}');
INSERT INTO "trial_user_attributes" VALUES(65,10,'checkpoint/000020/teacher','{"scores": {"verbmem_f": [13.622730822123017, 11.622730822123017, 15.622730822123017], "privleak": [-36.5932790526829, -38.5932790526829, -34.5932790526829], "knowmem_r": [83.65932790526828, 81.65932790526828, 85.65932790526828], "utility": [53.65932790526829, 51.65932790526829, 55.65932790526829]}, "weights": null, "items": "trial-3/20-teacher.parquet"}');
INSERT INTO "trial_user_attributes" VALUES(66,10,'failure','"CUDA out of memory "');
INSERT INTO "trial_user_attributes" VALUES(67,11,'driver','"vm d1dd57d3-af7f-4624-8718-0650985e47c7 4026531836 23347 ticks-3066794"');
INSERT INTO "trial_user_attributes" VALUES(68,11,'checkpoint/000010/student','{"scores": {"verbmem_f": [79.45261523922393, 77.45261523922393, 81.45261523922393], "privleak": [-97.41388188432691, -99.41388188432691, -95.41388188432691], "knowmem_r": [89.7413881884327, 87.7413881884327, 91.7413881884327], "utility": [59.741388188432694, 57.741388188432694, 61.741388188432694]}, "weights": null, "items": "trial-4/10-student.parquet"}');
INSERT INTO "trial_user_attributes" VALUES(69,11,'checkpoint/000010/teacher','{"scores": {"verbmem_f": [88.549966388963, 86.549966388963, 90.549966388963], "privleak": [-98.70694094216346, -100.70694094216346, -96.70694094216346], "knowmem_r": [89.87069409421635, 87.87069409421635, 91.87069409421635], "utility": [59.87069409421635, 57.87069409421635, 61.87069409421635]}, "weights": null, "items": "trial-4/10-teacher.parquet"}');
INSERT INTO "trial_user_attributes" VALUES(70,11,'checkpoint/000020/student','{"scores": {"verbmem_f": [65.90986224785888, 63.90986224785888, 67.90986224785888], "privleak": [-94.82776376865382, -96.82776376865382, -92.82776376865382], "knowmem_r": [89.48277637686539, 87.48277637686539, 91.48277637686539], "utility": [59.48277637686538, 57.48277637686538, 61.48277637686538]}, "weights": null, "items": "trial-4/20-student.parquet"}');
INSERT INTO "trial_user_attributes" VALUES(71,11,'checkpoint/000020/teacher','{"scores": {"verbmem_f": [79.45261523922393, 77.45261523922393, 81.45261523922393], "privleak": [-97.41388188432691, -99.41388188432691, -95.41388188432691], "knowmem_r": [89.7413881884327, 87.7413881884327, 91.7413881884327], "utility": [59.741388188432694, 57.741388188432694, 61.741388188432694]}, "weights": null, "items": "trial-4/20-teacher.parquet"}');
CREATE TABLE trial_values (
	trial_value_id INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	objective INTEGER NOT NULL, 
	value FLOAT, 
	value_type VARCHAR(7) NOT NULL, 
	PRIMARY KEY (trial_value_id), 
	UNIQUE (trial_id, objective), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_values" VALUES(1,1,0,1.84574645862048711819e+01,'FINITE');
INSERT INTO "trial_values" VALUES(2,1,1,20.0,'FINITE');
INSERT INTO "trial_values" VALUES(3,1,2,20.0,'FINITE');
INSERT INTO "trial_values" VALUES(4,2,0,1.92177491529451529572e+01,'FINITE');
INSERT INTO "trial_values" VALUES(5,2,1,20.0,'FINITE');
INSERT INTO "trial_values" VALUES(6,2,2,20.0,'FINITE');
INSERT INTO "trial_values" VALUES(7,3,0,4.88989561902410940774e+01,'FINITE');
INSERT INTO "trial_values" VALUES(8,3,1,20.0,'FINITE');
INSERT INTO "trial_values" VALUES(9,3,2,20.0,'FINITE');
INSERT INTO "trial_values" VALUES(10,4,0,2.09159340443762502563e+01,'FINITE');
INSERT INTO "trial_values" VALUES(11,4,1,19.0,'FINITE');
INSERT INTO "trial_values" VALUES(12,4,2,20.0,'FINITE');
INSERT INTO "trial_values" VALUES(13,5,0,2.16828415109524073054e+01,'FINITE');
INSERT INTO "trial_values" VALUES(14,5,1,19.0,'FINITE');
INSERT INTO "trial_values" VALUES(15,5,2,20.0,'FINITE');
INSERT INTO "trial_values" VALUES(16,6,0,5.1042947749039868201e+01,'FINITE');
INSERT INTO "trial_values" VALUES(17,6,1,19.0,'FINITE');
INSERT INTO "trial_values" VALUES(18,6,2,20.0,'FINITE');
INSERT INTO "trial_values" VALUES(19,7,0,1.09043595141455540442e+01,'FINITE');
INSERT INTO "trial_values" VALUES(20,7,1,1.82935592225511669539e+01,'FINITE');
INSERT INTO "trial_values" VALUES(21,7,2,1.81706440777448818835e+01,'FINITE');
INSERT INTO "trial_values" VALUES(22,8,0,8.18375161027162363342e+01,'FINITE');
INSERT INTO "trial_values" VALUES(23,8,1,9.77806653033692327846e+01,'FINITE');
INSERT INTO "trial_values" VALUES(24,8,2,1.02219334696630710364e+01,'FINITE');
INSERT INTO "trial_values" VALUES(25,9,0,9.72919814931480289067e+01,'FINITE');
INSERT INTO "trial_values" VALUES(26,9,1,9.9721660668711663792e+01,'FINITE');
INSERT INTO "trial_values" VALUES(27,9,2,1.00278339331288321998e+01,'FINITE');
CREATE TABLE trials (
	trial_id INTEGER NOT NULL, 
	number INTEGER, 
	study_id INTEGER, 
	state VARCHAR(8) NOT NULL, 
	datetime_start DATETIME, 
	datetime_complete DATETIME, 
	PRIMARY KEY (trial_id), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
INSERT INTO "trials" VALUES(1,0,1,'COMPLETE','2026-11-28 18:02:54.713235','2026-11-28 18:02:54.942513');
INSERT INTO "trials" VALUES(2,1,1,'COMPLETE','2026-11-28 18:02:54.998467','2026-11-28 18:02:55.135301');
INSERT INTO "trials" VALUES(3,2,1,'COMPLETE','2026-11-28 18:02:55.160319','2026-11-28 18:02:55.254156');
INSERT INTO "trials" VALUES(4,3,1,'COMPLETE','2026-11-28 18:02:55.266887','2026-11-28 18:02:55.421517');
INSERT INTO "trials" VALUES(5,4,1,'COMPLETE','2026-11-28 18:02:55.435999','2026-11-28 18:02:55.587414');
INSERT INTO "trials" VALUES(6,5,1,'COMPLETE','2026-11-28 18:02:55.617343','2026-11-28 18:02:55.740686');
INSERT INTO "trials" VALUES(7,0,2,'COMPLETE','2026-11-28 18:02:55.884480','2026-11-28 18:02:56.058085');
INSERT INTO "trials" VALUES(8,1,2,'COMPLETE','2026-11-28 18:02:56.083794','2026-11-28 18:02:56.254868');
INSERT INTO "trials" VALUES(9,2,2,'COMPLETE','2026-11-28 18:02:56.270671','2026-11-28 18:02:56.424992');
INSERT INTO "trials" VALUES(10,3,2,'FAIL','2026-11-28 18:02:56.438991','2026-11-28 18:02:56.507744');
INSERT INTO "trials" VALUES(11,4,2,'RUNNING','2026-11-28 18:02:56.520718',NULL);
CREATE TABLE version_info (
	version_info_id INTEGER NOT NULL, 
	schema_version INTEGER, 
	library_version VARCHAR(256), 
	PRIMARY KEY (version_info_id), 
	CHECK (version_info_id=1)
);
INSERT INTO "version_info" VALUES(1,12,'5.0.0');
CREATE UNIQUE INDEX ix_studies_study_name ON studies (study_name);
CREATE INDEX ix_trials_study_id ON trials (study_id);
COMMIT;
